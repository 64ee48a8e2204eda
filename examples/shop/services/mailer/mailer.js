import { readdir, rename } from "node:fs/promises";

const outbox = "/app/outbox";

for (;;) {
  for (const letter of (await readdir(outbox)).filter((name) => name.endsWith(".eml"))) {
    console.log(`sending ${letter}`);
    await rename(`${outbox}/${letter}`, `${outbox}/${letter}.sent`);
  }
  await new Promise((resolve) => setTimeout(resolve, 5000));
}
