#!/bin/sh
# Waits for one question (two numbers and what to do with them) and answers it.
set -eu
field() { node -pe "JSON.parse(fs.readFileSync(0, 'utf8')).data.$1"; }

connected=$(agent-wrap call relay-connect agent=answerer)
session=$(printf %s "$connected" | field credentials.sessionId)
AGENT_RELAY_TOKEN=$(printf %s "$connected" | field credentials.token)
AGENT_RELAY_NAME=answerer
export AGENT_RELAY_NAME AGENT_RELAY_TOKEN

page=$(agent-wrap call relay-poll waitMs=30000 limit=1)
question=$(printf %s "$page" | field 'messages[0].body')
from=$(printf %s "$page" | field 'messages[0].from')
echo "answerer: $from asks $question"

# What another agent writes is not to be trusted: only digits and signs are calculated.
case $question in *[!0-9\ +*-]*) answer='no' ;; *) answer=$(($question)) ;; esac
agent-wrap call relay-send "to=$from" "body=\"$answer\"" >/dev/null
echo "answerer: said $answer"

agent-wrap call relay-poll "since=$(printf %s "$page" | field lastMessageId)" >/dev/null
agent-wrap call relay-disconnect "sessionId=$session" >/dev/null
