/** For authors of tool adapters and memory backends: conformance suites, and stand-ins for agents and models. */
export * as AdapterConformance from "./AdapterConformance.js"
export * as Census from "./Census.js"
export * as MemoryConformance from "./MemoryConformance.js"
export * as ModelServer from "./ModelServer.js"
export * as ScriptedAgent from "./ScriptedAgent.js"
