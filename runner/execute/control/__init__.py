"""How often, where and in which company a step runs: attempts, items, delegates, blocks, waves, slow hosts."""
