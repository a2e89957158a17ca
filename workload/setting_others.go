package workload

// ignored builds a row for a setting that changes nothing with the harmless values; none given: with any value.
func ignored(name, doc, why string, harmless ...string) settingRow {
	row := settingRow{Setting: Setting{Name: name, Type: "text", Doc: doc, Use: SettingIgnored, Allowed: "any (ignored)"}, why: why}
	if len(harmless) > 0 {
		row.harmless = harmless
		row.Default = harmless[0]
		row.Allowed = "only " + harmless[0] + " (ignored)"
	}
	return row
}

// ignoredSettings are settings of the Java client without a meaning for records, times and requests.
func ignoredSettings() []settingRow {
	serializers := []string{
		"org.apache.kafka.common.serialization.ByteArraySerializer",
		"org.apache.kafka.common.serialization.StringSerializer",
		"org.apache.kafka.common.serialization.ByteBufferSerializer",
		"org.apache.kafka.common.serialization.BytesSerializer",
	}
	const noJava = "kbench can't run Java code"
	return []settingRow{
		ignored("key.serializer", "how a Java client turns keys into bytes", noJava, serializers...),
		ignored("value.serializer", "how a Java client turns values into bytes", noJava, serializers...),
		ignored("auto.include.jmx.reporter", "JMX metrics of the Java client", ""),
		ignored("metric.reporters", "metrics reporters of the Java client", noJava, "org.apache.kafka.common.metrics.JmxReporter", ""),
		ignored("metrics.num.samples", "samples of the Java client's metrics", ""),
		ignored("metrics.recording.level", "detail of the Java client's metrics", ""),
		ignored("metrics.sample.window.ms", "window of the Java client's metrics", ""),
		ignored("enable.metrics.push", "telemetry pushed to the broker (KIP-714)", "kbench keeps client telemetry off in every driver", "false"),
		ignored("interceptor.classes", "interceptors of the Java client", noJava, ""),
		ignored("ssl.enabled.protocols", "versions of TLS", "kbench speaks TLS 1.2 and 1.3", "TLSv1.2,TLSv1.3", "TLSv1.3,TLSv1.2", "TLSv1.3"),
		ignored("sasl.login.callback.handler.class", "how a Java client gets its token", noJava,
			"org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler",
			"org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerLoginCallbackHandler"),
		ignored("sasl.oauthbearer.jwt.retriever.class", "how a Java client gets its token", noJava,
			"org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever",
			"org.apache.kafka.common.security.oauthbearer.ClientCredentialsJwtRetriever",
			"org.apache.kafka.common.security.oauthbearer.FileJwtRetriever"),
		ignored("sasl.oauthbearer.jwt.validator.class", "how a Java client checks its token", noJava,
			"org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator",
			"org.apache.kafka.common.security.oauthbearer.ClientJwtValidator"),
		ignored("client.dns.lookup", "how host names are looked up", "kbench tries every address", "use_all_dns_ips"),
	}
}

// refusedSettings are settings whose effect would be missing from the measurement if they were passed over.
func refusedSettings() []settingRow {
	const (
		kerberos  = "Kerberos (GSSAPI) isn't there"
		tokens    = "an OAUTHBEARER token comes from sasl.oauthbearer.token.endpoint.url, a file or an end point of client credentials, or sasl.jaas.config; it is renewed at 80 to 85 % of its life"
		encrypted = "decrypt the key with `openssl pkcs8 -in KEY -out PLAINKEY`"
		javaTLS   = "TLS 1.2 and 1.3 are Go's own"
		metadata  = "metadata of topics are kept for the whole run"
		twoPhase  = "transactions with two-phase commit are missing"
		providers = "give the value itself"
	)
	stores := "a store is PEM, which has no password; if it is a JKS or PKCS12 one, " + ConvertStore("STORE", "") + ", and leave the password out"
	var rows []settingRow
	add := func(why string, secret bool, names ...string) {
		for _, name := range names {
			rows = append(rows, settingRow{
				Setting: Setting{Name: name, Type: "text", Doc: "not carried out yet", Allowed: "not yet", Secret: secret, Use: SettingRefused},
				why:     why,
			})
		}
	}
	add(kerberos, false, "sasl.kerberos.kinit.cmd", "sasl.kerberos.min.time.before.relogin", "sasl.kerberos.service.name",
		"sasl.kerberos.ticket.renew.jitter", "sasl.kerberos.ticket.renew.window.factor")
	add(tokens, true, "sasl.oauthbearer.assertion.private.key.passphrase")
	add(tokens, false, "sasl.client.callback.handler.class", "sasl.login.class", "sasl.login.refresh.buffer.seconds", "sasl.login.refresh.min.period.seconds",
		"sasl.login.refresh.window.factor", "sasl.login.refresh.window.jitter", "sasl.login.retry.backoff.max.ms",
		"sasl.login.retry.backoff.ms",
		"sasl.oauthbearer.assertion.algorithm", "sasl.oauthbearer.assertion.claim.aud", "sasl.oauthbearer.assertion.claim.exp.seconds",
		"sasl.oauthbearer.assertion.claim.iss", "sasl.oauthbearer.assertion.claim.jti.include",
		"sasl.oauthbearer.assertion.claim.nbf.seconds", "sasl.oauthbearer.assertion.claim.sub", "sasl.oauthbearer.assertion.file",
		"sasl.oauthbearer.assertion.private.key.file", "sasl.oauthbearer.assertion.template.file",
		"sasl.oauthbearer.clock.skew.seconds",
		"sasl.oauthbearer.expected.audience", "sasl.oauthbearer.expected.issuer",
		"sasl.oauthbearer.jwks.endpoint.refresh.ms", "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms",
		"sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", "sasl.oauthbearer.jwks.endpoint.url",
		"sasl.oauthbearer.scope.claim.name", "sasl.oauthbearer.sub.claim.name")
	add(encrypted, true, "ssl.key.password")
	add(stores, true, "ssl.keystore.password", "ssl.truststore.password")
	add(javaTLS, false, "security.providers", "ssl.cipher.suites", "ssl.engine.factory.class", "ssl.keymanager.algorithm",
		"ssl.protocol", "ssl.provider", "ssl.secure.random.implementation", "ssl.trustmanager.algorithm")
	add(metadata, false, "metadata.max.idle.ms")
	add(twoPhase, false, "transaction.two.phase.commit.enable")
	add(providers, false, "config.providers")
	return rows
}
