"""The interactive session without a user interface: who is chosen, what is shown, what may be done."""
