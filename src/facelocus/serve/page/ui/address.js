// What of a library is shown, in the address: reloaded, gone back to and sent it is the same.

/** Return what the address asks for, as strings: `q` or `like`; `picture` and `face` opened over it; or `view`. */
export const asked = () => Object.fromEntries(new URLSearchParams(location.search));

let show = null;

/** Show what the address asks for, now and whenever it changes: `shows` is called with that. */
export function follow(shows) {
  show = shows;
  window.addEventListener("popstate", () => show(asked(), false));
  return show(asked(), false);
}

const addressOf = (wanted) => location.pathname + (Object.keys(wanted).length ? `?${new URLSearchParams(wanted)}` : "");

/** Show something else, which can be come back from; `again`: even if it is what is shown already. */
export function go(wanted, again = false) {
  if (addressOf(wanted) !== addressOf(asked())) history.pushState({ within: true }, "", addressOf(wanted));
  return show(asked(), again);
}

/** Note another face of the picture that is open. */
export const note = (face) => history.replaceState(history.state, "", addressOf({ ...asked(), face }));

/** Leave the picture that is open: back to where it was opened, unless a link led to it. */
export function leave() {
  const { picture, face, ...rest } = asked();
  if (picture === undefined) return;
  if (history.state?.within) history.back();
  else history.replaceState(null, "", addressOf(rest));
}
