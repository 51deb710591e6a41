import { createServer } from "node:http";

const port = Number(process.env.PORT ?? 3000);
const host = process.env.HOST ?? "0.0.0.0";
let visits = 0;

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  if (pathname === "/status") {
    response.writeHead(200, { "Content-Type": "text/plain" }).end("ok\n");
  } else if (pathname === "/") {
    visits += 1;
    response
      .writeHead(200, { "Content-Type": "application/json" })
      .end(JSON.stringify({ title: process.env.TITLE ?? "Counter", visits }));
  } else {
    response.writeHead(404).end();
  }
});

server.listen(port, host, () => console.log(JSON.stringify({ message: "listening", port })));

process.on("SIGTERM", () => server.close(() => process.exit(0)));
