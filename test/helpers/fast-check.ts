/**
 * fast-check for what happens step by step: its lists and texts are as long as they may be. By itself it makes
 * none of more than ten, however long `maxLength` lets them be.
 */
import fc from 'fast-check';

fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true });

export default fc;
