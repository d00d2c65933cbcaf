"""From what a robot needs to know to commands, and from their replies to values. Pure.

Past this package there are no dicts of the portal, no ``"Y"``, no strings that are numbers.
"""
