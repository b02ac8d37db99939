#!/bin/sh
# Asks the agent "answerer" and prints its answer: two commands, no connection.
set -eu
field() { node -pe "JSON.parse(fs.readFileSync(0, 'utf8')).data.$1"; }

connected=$(agent-wrap call relay-connect agent=asker)
session=$(printf %s "$connected" | field credentials.sessionId)
AGENT_RELAY_TOKEN=$(printf %s "$connected" | field credentials.token)
AGENT_RELAY_NAME=asker
export AGENT_RELAY_NAME AGENT_RELAY_TOKEN

agent-wrap call relay-send to=answerer body='6 * 7' >/dev/null
echo "asker: 6 * 7 = ?"

page=$(agent-wrap call relay-poll waitMs=30000 limit=1)
echo "asker: got $(printf %s "$page" | field 'messages[0].body')"

# The next poll confirms what the last one gave.
agent-wrap call relay-poll "since=$(printf %s "$page" | field lastMessageId)" >/dev/null
agent-wrap call relay-disconnect "sessionId=$session" >/dev/null
