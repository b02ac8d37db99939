# Answers the first question it hears with its argument, waits for the result, and leaves.
read -r _
echo ">>relay:chair $1"
read -r result
echo "I heard: $result"
