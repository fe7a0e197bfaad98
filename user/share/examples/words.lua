-- words.lua [file]: the ten most frequent words.   lua /usr/share/examples/words.lua /etc/profile
local count, list = {}, {}
local file = arg[1] and assert(io.open(arg[1])) or io.stdin
for line in file:lines() do
  for word in line:lower():gmatch("%a+") do
    if not count[word] then list[#list + 1] = word end
    count[word] = (count[word] or 0) + 1
  end
end
table.sort(list, function(a, b)
  if count[a] ~= count[b] then return count[a] > count[b] end
  return a < b
end)
for i = 1, math.min(10, #list) do print(count[list[i]], list[i]) end
