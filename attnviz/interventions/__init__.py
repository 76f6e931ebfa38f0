"""What if: gates are changed, and what the network then says is held against what it said before.

Here: edits of gates and their JSON, one photo before and after, every layer or channel in turn, a folder of
photos, and what is usual for a gate. Not here: how a change is made in a running network (``capture``)."""
