/** A fake model provider on 127.0.0.1, so that real agent programs run without an account. */
export * from "@contextfs/fixtures/ModelServer"
