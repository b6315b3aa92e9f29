# SPDX-License-Identifier: Apache-2.0
#
# An application that verifies phone numbers with voiceotp: Rails in one file.
#
#   VOICEOTP_URL=http://127.0.0.1:8080 VOICEOTP_TOKEN=vok_... ruby app.rb 3000
#   curl -d number=+15555550100 localhost:3000/dispatch_otp
#   curl -d number=+15555550100 -d otp=482913 localhost:3000/verify_otp
#
# It keeps which verification belongs to whom, and nothing else: no code, no
# count of tries, no time of expiry.  Put Pending where your sessions are.
require 'action_controller/railtie'
require 'json'
require 'net/http'
require 'securerandom'
require 'webrick'

Pending = {} # number => id

class OtpApp < Rails::Application
  config.secret_key_base = SecureRandom.hex(32)
  config.eager_load = false
  config.log_level = :warn
  config.filter_parameters += %i[number otp] # of what is logged
  config.hosts << '127.0.0.1'
  routes.append do
    post '/dispatch_otp', to: 'otp#dispatch_otp'
    post '/verify_otp', to: 'otp#verify_otp'
  end
end

class OtpController < ActionController::API
  def dispatch_otp
    made = voiceotp('', to: params[:number], client_ip: request.remote_ip)
    return say(422, made['detail']) unless made['id']

    Pending[params[:number]] = made['id']
    say(200, "calling from #{made['from'] || 'a number of ours'}")
  end

  def verify_otp
    id = Pending[params[:number]]
    return say(404, 'number not found') unless id

    checked = voiceotp("/#{id}/check", code: params[:otp].to_s)
    return say(422, 'number not verified') unless checked['approved']

    Pending.delete(params[:number])
    say(200, 'number verified')
  end

  private

  def voiceotp(path, body)
    uri = URI("#{ENV.fetch('VOICEOTP_URL')}/v1/verifications#{path}")
    answer = Net::HTTP.post(
      uri, body.to_json,
      'Authorization' => "Bearer #{ENV.fetch('VOICEOTP_TOKEN')}",
      'Content-Type' => 'application/json'
    )
    JSON.parse(answer.body)
  end

  def say(status, message)
    render status: status, json: { message: message }
  end
end

OtpApp.initialize!
server = WEBrick::HTTPServer.new(
  BindAddress: '127.0.0.1', Port: (ARGV[0] || 3000).to_i, AccessLog: [],
  Logger: WEBrick::Log.new($stderr, WEBrick::Log::WARN),
  StartCallback: -> { puts "http://127.0.0.1:#{server.listeners[0].addr[1]}" }
)
$stdout.sync = true
require 'rack/handler/webrick'
server.mount '/', Rack::Handler::WEBrick, OtpApp
server.start
