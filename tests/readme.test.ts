import { readmeExamples } from "./suites/readme";

readmeExamples("cpu");
