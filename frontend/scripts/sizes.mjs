// What a first visit loads, gzipped: what index.html names, the first page, and all that these import. Charts stay out.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT_BYTES = 150_000;
const FIRST_PAGE = /^Competitions-.*\.(js|css)$/;

const read = (file) => readFileSync(`dist/${file}`);
const files = new Set(["index.html"]);
const visit = (file) => {
  if (files.has(file)) return;
  files.add(file);
  for (const [, imported] of read(file)
    .toString()
    .matchAll(/\bfrom\s*"\.\/([^"]+)"/g)) {
    visit(`assets/${imported}`);
  }
};
for (const [, file] of read("index.html")
  .toString()
  .matchAll(/(?:src|href)="\/([^"]+)"/g)) {
  visit(file);
}
for (const file of readdirSync("dist/assets").filter((name) => FIRST_PAGE.test(name)))
  visit(`assets/${file}`);

let total = 0;
for (const file of files) {
  const size = gzipSync(read(file)).length;
  total += size;
  console.log(`${String(size).padStart(8)}  ${file}`);
}
console.log(`${String(total).padStart(8)}  first load, of ${LIMIT_BYTES} allowed`);
process.exitCode = total > LIMIT_BYTES ? 1 : 0;
