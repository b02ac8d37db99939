/** So many lines of outbox files, and the bytes of their frames. */
export class LineCount {
  lines = 0;
  bytes = 0;

  add(lines: number, bytes: number): void {
    this.lines += lines;
    this.bytes += bytes;
  }
}
