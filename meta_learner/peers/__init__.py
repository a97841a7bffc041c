"""Optimisers and estimators by others, behind our interface, for comparisons: the optional extra ``peers``.

Each module imports its library when it is imported itself; nothing else imports these modules.
"""
