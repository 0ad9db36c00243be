# The server in a container: docs/deploy.md. Under 500 MB, no torch; tests/test_container.py adds it up.
#
#   docker build --tag facelocus .
#   docker run --read-only --tmpfs /tmp --cap-drop ALL --publish 127.0.0.1:8000:8000 --env FACELOCUS_TOKEN facelocus

ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY LICENSES LICENSES
COPY src src
# The environment needs no pip of its own: that of the image installs into it.
# hadolint ignore=DL3013
RUN python -m venv --without-pip /opt/facelocus \
    && pip --python /opt/facelocus/bin/python install --no-cache-dir '.[serve]'

FROM python:${PYTHON}-slim
COPY --from=build /opt/facelocus /opt/facelocus
# Nothing is written but uploads on their way (/tmp) and what a library's database keeps beside it: the root may be
# read-only.
ENV HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["/opt/facelocus/bin/python", "-c", "from http.client import HTTPConnection as C; c = C('127.0.0.1', 8000, timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
# What listens for other machines refuses to start without a token: --token-file FILE or $FACELOCUS_TOKEN.
ENTRYPOINT ["/opt/facelocus/bin/facelocus", "serve", "--host", "0.0.0.0", "--port", "8000"]
