/**
 * What Claude Code says, from its hooks (streaming) and from its transcript (each block when complete).
 * The transcript is read all the time: it shows when the hooks are silent, and takes over without a loss
 * or a repeat. real-agents.md §5, §6.
 */
import { isAbsolute, join } from 'node:path';
import type { Clock, Timer } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { SpeechSink, SpeechSource } from './adapter.ts';
import { ClaudeFollowing } from './claude-following.ts';
import { ClaudeLedger } from './claude-ledger.ts';
import { ClaudeMessages } from './claude-messages.ts';
import type { TranscriptEvent } from './claude-transcript.ts';
import { transcriptsSince } from './claude-transcripts.ts';
import type { HookServer } from './hook-server.ts';
import { type JsonRecord, stringIn } from './json-record.ts';
import type { Positions } from './positions.ts';
import { RecordedTurns } from './recorded-turns.ts';

/** Milliseconds by which a hook may come later than the transcript's record of the same text. */
const HOOK_LATE_MS = 3_000;

export interface ClaudeSpeechOptions {
  /** Where Claude Code keeps the transcripts of this folder; the first that exists is taken. */
  folders: readonly string[];
  /** The session, if we know it before it begins. */
  sessionId: string | undefined;
  hooks: HookServer | undefined;
  positions: Positions;
  clock: Clock;
  log: Log;
}

export class ClaudeSpeech {
  /** The sources, best first; the adapter lists those that are wanted. */
  readonly hook: SpeechSource;
  readonly transcript: SpeechSource;
  readonly #options: ClaudeSpeechOptions;
  readonly #ledger = new ClaudeLedger();
  readonly #messages: ClaudeMessages;
  readonly #following: ClaudeFollowing;
  readonly #turns: RecordedTurns;
  /** Who speaks: `none` before the start and after a failure. */
  #account: 'none' | 'hook' | 'transcript' | 'closed' = 'none';
  #sink: SpeechSink | undefined;
  #timers: Timer[] = [];
  #onPrompt: (text: string) => void = () => {};

  constructor(options: ClaudeSpeechOptions) {
    this.#options = options;
    this.#turns = new RecordedTurns({ clock: options.clock, due: (since) => this.#missed(since) });
    this.#following = new ClaudeFollowing({
      ...options,
      ledger: this.#ledger,
      sink: () => this.#sink,
      take: (event, file, from) => this.#take(event, file, from),
    });
    this.#messages = new ClaudeMessages({
      text: (message, offset, text) => {
        this.#ledger.said(message, text);
        // Its id must outlive us before its words leave.
        if (offset === 0) this.#following.keep();
        this.#sink?.text(message, offset, text);
        this.#tellGlued();
      },
      end: (message) => this.#sink?.end(message),
    });
    this.hook = {
      kind: 'hook',
      start: (sink) => this.#begin('hook', sink),
      // Once it has failed, the transcript goes on with what both know.
      close: async () => (this.#account === 'hook' ? this.close() : undefined),
    };
    this.transcript = {
      kind: 'transcript',
      start: (sink) => this.#begin('transcript', sink),
      close: () => this.close(),
    };
    options.hooks?.onHook((hook) => this.#hook(hook));
  }

  /** Calls back with each prompt that was taken, by whichever account tells it first, perhaps by both. */
  onPrompt(listener: (text: string) => void): void {
    this.#onPrompt = listener;
  }

  /** The agent's signals say that it works … */
  turnBegan(): void {
    this.#turns.began();
  }

  /** … and that it is done: by now we must have heard or read something of it. */
  turnEnded(): void {
    if (this.#account !== 'closed') this.#turns.ended();
  }

  async close(): Promise<void> {
    if (this.#account === 'closed') return;
    this.#cancel();
    await this.#following.close();
    this.#messages.end();
    // The agent is gone: what its transcript holds and no hook told is told now.
    if (this.#account === 'hook') this.#tellUnsaid();
    this.#account = 'closed';
    this.#sink = undefined;
  }

  #begin(account: 'hook' | 'transcript', sink: SpeechSink): void {
    this.#account = account;
    this.#sink = sink;
    const { folders, sessionId } = this.#options;
    if (sessionId !== undefined) {
      for (const folder of folders) this.#following.follow(join(folder, `${sessionId}.jsonl`));
    }
    if (account === 'transcript') this.#tellUnsaid();
    else this.#timers.push(this.#options.clock.every(1_000, () => this.#compare(), { unref: true }));
  }

  #hook(hook: JsonRecord): void {
    // A sub-agent's hooks carry its id.
    if (hook.agent_id !== undefined && hook.agent_id !== null) return;
    this.#turns.record();
    const file = stringIn(hook, 'transcript_path');
    if (file !== undefined && isAbsolute(file) && file.endsWith('.jsonl')) this.#following.name(file);
    const event = stringIn(hook, 'hook_event_name');
    const prompt = event === 'UserPromptSubmit' ? stringIn(hook, 'prompt') : undefined;
    if (prompt !== undefined) this.#onPrompt(prompt);
    if (this.#account !== 'hook') return;
    if (event === 'MessageDisplay') {
      const wrong = this.#messages.display(hook);
      if (wrong !== undefined) this.#fail(wrong);
    } else if (prompt !== undefined) {
      this.#sink?.prompt?.(prompt);
    } else if (event === 'Stop') {
      this.#stop(stringIn(hook, 'last_assistant_message'));
    }
  }

  #stop(last: string | undefined): void {
    this.#messages.end();
    if (last === undefined || this.#ledger.hasSaid(last)) return;
    this.#later(HOOK_LATE_MS, () => {
      if (!this.#ledger.hasSaid(last)) this.#fail('the hooks did not tell the last message of a turn');
    });
  }

  /** Takes what stands in the transcript after its first `from` bytes. */
  #take(event: TranscriptEvent, file: string, from: number): void {
    this.#turns.record();
    if (event.kind === 'speech') {
      const { id, text } = event;
      if (this.#account === 'transcript') this.#tell(id, 0, text);
      else this.#ledger.written({ id, text, file, from, at: this.#options.clock.monotonic() });
      this.#tellGlued();
    } else if (event.kind === 'prompt') {
      this.#onPrompt(event.text);
      if (this.#account === 'transcript') this.#sink?.prompt?.(event.text);
    } else if (event.kind === 'unknown' && this.#account === 'transcript') {
      this.#fail(`the transcript is not as we know it: ${event.reason}`);
    }
  }

  /** Directives that nobody saw because they stood behind other words. The rest of their blocks was told. */
  #tellGlued(): void {
    for (const { message, offset, text } of this.#ledger.takeGlued()) {
      const [directive] = /^(?:>>.*|\[\[RELAY\]\][\s\S]*?\n\[\[\/RELAY\]\].*)/.exec(text) ?? [];
      if (directive !== undefined) this.#tell(`${message}+${offset}`, 0, directive);
    }
  }

  #tell(message: string, offset: number, text: string): void {
    if (text !== '') this.#sink?.text(message, offset, text);
    this.#sink?.end(message);
  }

  #tellUnsaid(): void {
    for (const { message, offset, text } of this.#ledger.takeUnsaid()) this.#tell(message, offset, text);
  }

  /** The transcript has what no hook told: the hooks do not come (`disableAllHooks`, an older version). */
  #compare(): void {
    const oldest = this.#ledger.oldestUnsaid;
    if (oldest === undefined || this.#options.clock.monotonic() - oldest < HOOK_LATE_MS) return;
    this.#fail('the transcript has text that no hook told');
  }

  /** A turn of which nothing came: the session is another one than we know. */
  #missed(since: number): void {
    if (this.#turns.recordedSince(since) || this.#account === 'closed') return;
    const grown = transcriptsSince(this.#options.folders, since).filter((one) => !this.#following.has(one));
    const [file] = grown;
    if (file !== undefined && grown.length === 1) {
      this.#options.log.info('claude-session-found', { file });
      this.#following.follow(file, since);
    } else if (this.#account === 'transcript') {
      this.#fail(file ? 'two transcripts may be ours' : 'no transcript of ours was found');
    }
  }

  #later(ms: number, fn: () => void): void {
    this.#timers.push(this.#options.clock.after(ms, fn, { unref: true }));
  }

  /** Nothing of what we wait for is looked at any more. */
  #cancel(): void {
    for (const timer of this.#timers.splice(0)) timer.cancel();
    this.#turns.forget();
  }

  #fail(reason: string): void {
    const sink = this.#sink;
    if (!sink || this.#account === 'closed') return;
    this.#options.log.warn('claude-speech-failed', { account: this.#account, reason });
    this.#cancel();
    this.#account = 'none';
    this.#sink = undefined;
    sink.failed(reason);
  }
}
