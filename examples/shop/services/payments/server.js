import { createServer } from "node:http";

const provider = process.env.PAYMENT_PROVIDER ?? "https://payments.example.com";

createServer((request, response) => {
  if (request.url === "/healthz") {
    response.writeHead(204).end();
    return;
  }
  response.writeHead(202, { "content-type": "application/json" });
  response.end(JSON.stringify({ provider, state: "accepted" }));
}).listen(8080);
