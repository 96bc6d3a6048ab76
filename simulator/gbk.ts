/** Chinese banks write their files in GBK, which Node only reads: the table is what it reads, turned round. */
let table: ReadonlyMap<string, number> | undefined;

/** What GBK doesn't have becomes a question mark. */
export function gbk(text: string): Buffer {
  table ??= turnedRound();
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    const pair = code < 0x80 ? code : (table.get(character) ?? 0x3f);
    if (pair < 0x100) bytes.push(pair);
    else bytes.push(pair >> 8, pair & 0xff);
  }
  return Buffer.from(bytes);
}

function turnedRound(): ReadonlyMap<string, number> {
  const decoder = new TextDecoder('gbk');
  const found = new Map<string, number>();
  for (let lead = 0x81; lead <= 0xfe; lead += 1)
    for (let trail = 0x40; trail <= 0xfe; trail += 1) {
      const text = decoder.decode(Uint8Array.of(lead, trail));
      if (Array.from(text).length === 1 && text !== '\uFFFD') found.set(text, (lead << 8) | trail);
    }
  return found;
}
