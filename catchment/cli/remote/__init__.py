"""Commands as a server does them; each takes what the command of this machine takes."""
