import { openTestDevice } from "../suites/device";
import { initialisers } from "../suites/initialisers";

await openTestDevice("cpu");
initialisers();
