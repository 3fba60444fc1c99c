"""`manage.py doctor`: looks at everything, and says how to mend what is not well.

Each subject is a module with a function ``look`` that yields findings. It is called by ``examination``, which turns
whatever a look raises into a finding: a doctor that faints is of no use.
"""
