/** What an adapter sees of a terminal, from an emulator of its own. */
import type { Terminal } from '@xterm/headless';
import type { ScreenView } from '../../src/agents/adapter.ts';

export function viewOf({ buffer, modes, rows }: Terminal): ScreenView {
  const { active } = buffer;
  const line = (row: number) => active.getLine(active.baseY + row);
  const lines = Array.from({ length: rows }, (_, row) =>
    (line(row)?.translateToString(true) ?? '').trimEnd(),
  );
  return {
    rows: () => lines,
    faint: (row, column) => (line(row)?.getCell(column)?.isDim() ?? 0) !== 0,
    cursor: { row: active.cursorY, column: active.cursorX },
    bracketedPaste: modes.bracketedPasteMode,
    alternateScreen: active.type === 'alternate',
  };
}
