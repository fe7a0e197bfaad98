# counts.sh: which hypercalls a command makes.   sh /usr/share/examples/counts.sh ls /bin
# (The program `hypercalls` does the same, better.)
before=$(cat /proc/hypercalls)
"${@:-true}"
after=$(cat /proc/hypercalls)
echo "$before" | while read -r name count; do
	now=$(echo "$after" | awk -v n="$name" '$1 == n { print $2 }')
	[ "$now" = "$count" ] || echo "$name $((now - count))"
done
