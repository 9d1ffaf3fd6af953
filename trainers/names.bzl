"""The programs of //trainers: each a target //trainers:<name>."""

# Those that train, by their method.
METHODS = [
    "byol",
    "byol_gsg",
    "simsiam",
    "simsiam_gsg",
]

# Those that work on runs that are there.
PROGRAMS = [
    "embed",
    "evaluate",
    "explore",
    "export",
    "report",
    "search",
    "study",
]
