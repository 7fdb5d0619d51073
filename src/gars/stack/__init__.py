"""``gars stack``: the engines and services of the cluster profile as processes of one machine, without containers."""
