/** The shared memory of ContextFS as an MCP server, and the bridge that agents start. */
export * as Bridge from "./Bridge.js"
export * as McpServer from "./McpServer.js"
export * as McpTool from "./McpTool.js"
export * as MemoryTools from "./MemoryTools.js"
export * as RunServer from "./RunServer.js"
export * as StdioServer from "./StdioServer.js"
export * as ViewTools from "./ViewTools.js"
