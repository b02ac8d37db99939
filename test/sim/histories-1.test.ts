import { expectNoViolations } from './expect-histories.ts';

expectNoViolations(1, 1_000);
