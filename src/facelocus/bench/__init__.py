"""Speed, measured: ours against a plain reference in the same run, PSE against no PSE, and both against the machine."""
