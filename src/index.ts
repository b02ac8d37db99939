/** What embedders may use. The only barrel of the project. */
export { ERRORS, type ErrorCode, RelayError } from './base/errors.ts';
