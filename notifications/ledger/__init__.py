"""The hot SQL of the notification log, one module a verb, each statement beside its function.

Every change of state is a conditional UPDATE on the state before it (`vocabulary.MOVES`); whoever comes second
changes nothing. All statements work on hundreds of rows at a time.
"""
