# Reads one message of the relay from the terminal and lets Codex review it in its print mode.
read -r message
exec codex exec --skip-git-repo-check --sandbox read-only "Review the shell one-liner in this message: $message
Answer with exactly one line: >>relay:user followed by a blank and either APPROVED, or CHANGE and what to change."
