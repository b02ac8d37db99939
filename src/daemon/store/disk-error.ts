/** What the disk threw, as the rest of the daemon knows it. */
import { RelayError, systemCode } from '../../base/errors.ts';

/** There is no room. */
export const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? '');

/** What the disk threw → the code that a sender is told. */
export const asStoreError = (error: unknown): RelayError =>
  isFull(error) ? storeError('STORE_FULL', error) : storeFailure(error);

/** As `asStoreError`, where nobody knows what stands on the disk now: then a full one is a failure as well. */
export const storeFailure = (error: unknown): RelayError => storeError('STORE_FAILED', error);

function storeError(code: 'STORE_FULL' | 'STORE_FAILED', cause: unknown): RelayError {
  if (cause instanceof RelayError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  return new RelayError(code, `the store could not be written: ${text}`, { cause });
}
