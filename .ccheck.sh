W="-Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wvla -Wwrite-strings -Wformat=2 -Wundef -Wpointer-arith -Wcast-qual -Werror"
for f in "$@"; do gcc -std=gnu11 -O1 -g $W -I. -Ibuild -I/usr/include/postgresql -D_GNU_SOURCE -include common/ban.h -fsyntax-only $f || exit 1; clang-format -i $f; done
