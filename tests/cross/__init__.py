"""Two stacks side by side: what one makes, the other serves. ``make test-beside`` sets up both and runs this.

``LOOKBOOK_OTHER_STACK`` names the program that runs a command in a copy of these sources with the other stack's
environments (``requirements/other_stack.sh`` makes it). Both see the same files below the same paths, and one network.
"""
