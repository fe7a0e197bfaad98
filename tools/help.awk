# SPDX-License-Identifier: MIT
# Prints the commands of the makefiles given: lines of the form `target: prerequisites ## text`.
BEGIN {
	print "usage: make COMMAND [V=1]\n"
}
match($0, /^[a-z][a-z0-9-]*:.*## /) {
	name = $0
	sub(/:.*/, "", name)
	printf "  %-16s %s\n", name, substr($0, RSTART + RLENGTH)
}
