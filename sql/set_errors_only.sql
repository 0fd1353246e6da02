-- No warnings until the settings are reset.
SET client_min_messages = 'error'
