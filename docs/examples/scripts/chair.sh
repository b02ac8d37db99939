# Asks everybody for a vote, counts two answers, and tells the subscribers of the topic `votes`.
read -r _
echo '>>relay:* Shall we ship it? Answer chair with yes or no.'
yes=0
for _ in 1 2; do
  read -r answer
  case $answer in *']: yes '*) yes=$((yes + 1)) ;; esac
done
printf '[[RELAY]]\n{"to": "*", "topic": "votes", "body": "result: %s of 2"}\n[[/RELAY]]\n' "$yes"
sleep 1
