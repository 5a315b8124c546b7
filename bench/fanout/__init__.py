"""Many viewers of few channels; `make fanout` runs it: lag, cost, what breaks first, joins."""
