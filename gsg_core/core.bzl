# SPDX-License-Identifier: Apache-2.0
"""The libraries of gsg_core: what they export."""

load("//bazel:cc.bzl", "gsg_cc_library")

def core_library(name, deps = [], copts = [], **kwargs):
    """A gsg_cc_library of which others see what is GSG_EXPORT (config.h) alone.

    Two plugins that link to it, perhaps to two versions, keep theirs apart. Linked
    statically, because its own parts call each other's hidden functions.
    """
    gsg_cc_library(
        name = name,
        copts = ["-fvisibility=hidden"] + copts,
        linkstatic = True,
        deps = [":config"] + deps,
        **kwargs
    )
