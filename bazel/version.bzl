"""The version of the project: of programs, checkpoints and wheels."""

VERSION = "0.1.0"
