-- primes.lua [n]: the primes up to n, by Eratosthenes.   lua /usr/share/examples/primes.lua 100
local n = tonumber(arg[1]) or 100
local composite = {}
for i = 2, n do
  if not composite[i] then
    io.write(i, " ")
    for j = i * i, n, i do composite[j] = true end
  end
end
print()
