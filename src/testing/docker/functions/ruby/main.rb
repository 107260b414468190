def main(context)
  req, res = context.req, context.res
  case req.path
  when "/hello"
    answer = { method: req.method, query: req.query, header: req.headers["x-a"], body: req.json }
    res.json(answer, status: 201, headers: { "X-B" => "c" })
  when "/env" then res.text("#{context.env["NAME"]} #{ENV["NAME"]}")
  when "/log"
    context.log("one", 1)
    puts "two"
    context.error("three")
    warn "four"
    res.empty
  when "/print"
    print "ü, no end"
    res.empty
  when "/long"
    puts "x" * 5_000_000
    res.empty
  when "/header" then res.text("", headers: { "x-a" => "a\nb" })
  when "/leave"
    Thread.new { context.fetch("https://hanging.example/") }
    sleep 0.1
    res.empty
  when "/later"
    Thread.new do
      sleep 0.3
      context.log("late")
      context.graphql("{ a }")
    rescue StandardError => error
      $later = error.message
    end
    res.empty
  when "/told"
    sleep 0.8
    res.text($later)
  when "/fork"
    fork
    res.text("forked")
  when "/bytes"
    require "logger"
    print "ü"
    puts "\xff".b
    Logger.new($stdout, formatter: proc { |_, _, _, text| "#{text}\n" }).info("logged")
    res.empty
  when "/graphql" then res.json(context.graphql("{ a }", { b: 1 }))
  when "/wrong" then res.json(context.graphql("{ wrong }"))
  when "/fetch"
    got = context.fetch("https://example.com/x", method: "POST", headers: { "x-a" => "b" }, body: "c")
    res.text("#{got.status} #{got.headers["x-b"]} #{got.text}")
  when "/refused"
    begin
      res.text(context.fetch("https://refused.example/").text)
    rescue StandardError => error
      res.text(error.message)
    end
  when "/throw" then raise ArgumentError, "no"
  when "/redirect" then res.redirect("/x")
  when "/invalid" then 5
  when "/stream" then res.stream(%w[a b c])
  when "/memory"
    all = []
    loop { all << Random.bytes(10_000_000) }
  else exit!(3)
  end
end
