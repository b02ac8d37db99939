/** Likely secrets in text that is logged: keys, passwords, private keys. Messages are delivered as they are. */

/** What stands in place of each. */
const SECRET = '[secret]';

/**
 * The first group, if there is one, stays. Where a match can fail late its parts have a length limit, so that
 * no text takes more than linear time.
 */
const PATTERNS: readonly RegExp[] = [
  // A private key, also one that is cut off.
  /(-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----)[\s\S]*?(?:-----END [A-Z ]{0,32}PRIVATE KEY-----|$)/g,
  // Keys that say whose they are: OpenAI and Anthropic, Stripe, GitHub, GitLab, Slack, npm, Hugging Face, Google, AWS.
  /\b(sk-|[rs]k_(?:live|test)_|gh[oprsu]_|github_pat_|glpat-|xox[abeoprs]-|npm_|hf_)[A-Za-z0-9_-]{16,}/g,
  /\b(AIza)[A-Za-z0-9_-]{30,}/g,
  /\b(A[KS]IA)[A-Z0-9]{16}\b/g,
  // JSON Web Tokens.
  /\b(eyJ)[A-Za-z0-9_-]{8,512}\.[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]*/g,
  /\b(Bearer\s{1,4})[A-Za-z0-9._~+/-]{16,}=*/gi,
  // scheme://user:password@host
  /\b([a-z][a-z0-9+.-]{0,15}:\/\/[^\s/:@]{0,128}:)[^\s/@]{1,256}(?=@)/gi,
  // NAME_OF_A_SECRET=value, "password": "value"
  /((?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)[\w-]{0,32}["']?\s{0,4}[:=]\s{0,4})(?:"[^"\n]{4,}"|'[^'\n]{4,}'|[^\s"',;[{]{8,})/gi,
];

/** The text without what is likely a secret. */
export const hideSecrets = (text: string): string =>
  PATTERNS.reduce((left, pattern) => left.replace(pattern, `$1${SECRET}`), text);
