"""The errors that a person reads."""


class LapsewatchError(Exception):
    """One clear line for an operator. Never holds an address or a key."""


class SetupError(LapsewatchError):
    """Something its owner must set up or mend first; trying again by itself is useless."""


class Unavailable(LapsewatchError):
    """A database is out of reach just now; trying again may help."""


class RunStopped(LapsewatchError):
    """The run's own figures are suspicious: it stops before it publishes or unverifies anything."""
