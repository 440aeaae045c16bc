/** Several files as one zip, without compression: what the server unpacks is the same, and uploads are small. */

export interface Member {
  name: string;
  bytes: Uint8Array;
}

/** Make a zip of files that lie at its top. */
export function zipOf(members: readonly Member[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, bytes } of members) {
    const path = new TextEncoder().encode(name);
    const shared = sharedHead(path.length, bytes);
    const local = joined([words32(0x04034b50), shared, path, bytes]);
    directory.push(
      joined([words32(0x02014b50), words16(20), shared, new Uint8Array(10), words32(offset), path]),
    );
    parts.push(local);
    offset += local.length;
  }
  const listing = joined(directory);
  const end = joined([
    words32(0x06054b50),
    words16(0, 0, members.length, members.length),
    words32(listing.length, offset),
    words16(0),
  ]);
  return joined([...parts, listing, end]);
}

/** The fields that a file has both before its bytes and in the directory: version, flags, method, time, sizes, lengths. */
function sharedHead(pathLength: number, bytes: Uint8Array): Uint8Array {
  const utf8 = 0x0800;
  const firstDay = 0x0021; // 1980-01-01, so that equal files make equal archives
  return joined([
    words16(20, utf8, 0, 0, firstDay),
    words32(crc32(bytes), bytes.length, bytes.length),
    words16(pathLength, 0),
  ]);
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

export function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = (sum >>> 8) ^ (TABLE[(sum ^ byte) & 0xff] ?? 0);
  return (sum ^ 0xffffffff) >>> 0;
}

function words16(...values: number[]): Uint8Array {
  return numbers(values, 2);
}

function words32(...values: number[]): Uint8Array {
  return numbers(values, 4);
}

function numbers(values: readonly number[], size: number): Uint8Array {
  const bytes = new Uint8Array(values.length * size);
  values.forEach((value, place) => {
    for (let byte = 0; byte < size; byte += 1) bytes[place * size + byte] = (value >>> (8 * byte)) & 0xff;
  });
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
