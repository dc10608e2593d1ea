"""How results reach people and machines."""
