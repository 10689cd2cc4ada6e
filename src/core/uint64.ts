/** Writes a non-negative safe integer as 64 bits, with the most significant byte first. Avoids the BigInt that Node's method requires. */
export function writeUint64(target: Buffer, value: number, offset: number): void {
  target.writeUInt32BE(Math.floor(value / 2 ** 32), offset);
  target.writeUInt32BE(value % 2 ** 32, offset + 4);
}
