/** A row of the emulator as text. */
import type { IBuffer, IBufferLine } from '@xterm/headless';
import type { Row } from './row.ts';

/** A row that does not fill the width was not wrapped into the next, whatever an old flag says. */
export function readRow(buffer: IBuffer, y: number, cols: number): Row {
  const line = buffer.getLine(y);
  if (line === undefined) return { text: '', wrapped: false };
  return {
    text: line.translateToString(true),
    wrapped: line.isWrapped && isFull(buffer.getLine(y - 1), cols),
  };
}

/** Written up to its end; a wide character that did not fit leaves one cell free. */
function isFull(line: IBufferLine | undefined, cols: number): boolean {
  const written = (x: number) => {
    const cell = line?.getCell(x);
    return cell !== undefined && (cell.getChars() !== '' || cell.getWidth() === 0);
  };
  return written(cols - 1) || written(cols - 2);
}
