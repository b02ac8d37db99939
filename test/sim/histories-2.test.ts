import { expectNoViolations } from './expect-histories.ts';

expectNoViolations(1001, 1_000);
