/** The version of this program, as WELCOME and --version say it. A test compares it with package.json. */
export const VERSION = '0.1.0';
