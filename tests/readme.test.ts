import { readmeExamples } from "./shared/readme";

readmeExamples("cpu");
