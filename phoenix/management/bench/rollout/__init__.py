"""What a rollout costs where very many people are in it: how soon a rollback holds, how long it restores, what the flag takes.

`run` makes a database for the run and starts the processes, `worker` is each of them: `own` seeds, rolls back and asks the flag,
`web` serves pages all the while, `stock` asks waffle's own flag. `site` is what the web processes serve.
"""
