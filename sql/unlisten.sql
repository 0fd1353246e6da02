-- Stops listening to every channel.
UNLISTEN *
